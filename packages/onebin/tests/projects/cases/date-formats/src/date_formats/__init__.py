import datetime
import time

SATURDAY = (2024, 2, 3, 4, 5, 6, 5, 34, 0)

def main():
    for directive in "aAbBcCdDeEfFgGhHIjJklmMnNoOpPqQrRStTuUvVwWxXyYzZ%+":
        print(directive, repr(time.strftime(f"<%{directive}>", SATURDAY)))
    for part in ("-d", "_d", "0e", "^a", "#a", "#p", "-j", "_H", "5Y", "EY", "Od", "010d", "^B", "-l",
                 "3d", "10A", "010A", "-_5m", "", "-", "E", ":z", "ä"):
        print(part, repr(time.strftime(f"<%{part}>", SATURDAY)))
    for year in (1, 99, 999, 1000, 9999):
        print(time.strftime("%Y %y %C %G %g %F %c", (year, 1, 2, 3, 4, 5, 0, 2, 0)))
        print(datetime.date(year, 1, 2).strftime("%Y %G-W%V-%u %F %D"))
    moment = datetime.datetime(2024, 2, 3, 16, tzinfo=datetime.UTC)
    print(moment.strftime("%-I:%M %P, %A %-d %B %Y ü %% %Z %z"), f"{moment:%^a %k}")
    print(repr(time.strftime("", SATURDAY)), repr(time.strftime("%", SATURDAY)))
