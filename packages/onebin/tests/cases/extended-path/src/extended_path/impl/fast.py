WHERE = "impl"
