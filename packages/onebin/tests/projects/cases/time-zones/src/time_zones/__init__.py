import datetime
import zoneinfo

def main():
    for key in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "Asia/Kathmandu", "UTC"):
        noon = datetime.datetime(2024, 7, 1, 12, tzinfo=zoneinfo.ZoneInfo(key))
        print(key, noon.utcoffset())
    print(len(zoneinfo.available_timezones()) > 400)
    try:
        zoneinfo.ZoneInfo("No/Where")
    except zoneinfo.ZoneInfoNotFoundError as error:
        print(error)
