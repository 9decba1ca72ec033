module endurance/client

go 1.22
