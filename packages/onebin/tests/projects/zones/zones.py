"""Local time as libc has it (TZ, tzset, localtime, mktime) and as zoneinfo has it."""

import datetime
import json
import os
import sys
import time
import zoneinfo


def main():
    """Print both for each line of stdin: a zone's name, seconds since 1970."""
    if sys.argv[1:] == ["names"]:
        print(json.dumps(sorted(zoneinfo.available_timezones())))
        return
    if sys.argv[1:] == ["hour"]:
        print(time.strftime("%H:%M %Z", time.localtime(0)))
        return
    for line in sys.stdin:
        name, seconds = json.loads(line)
        os.environ["TZ"] = name
        time.tzset()
        local = time.localtime(seconds)
        # The second of two equal hours may come back as the first.
        again = list(time.localtime(time.mktime(local)))[:6]
        of_libc = [list(local)[:6], local.tm_zone, local.tm_gmtoff, again]
        aware = datetime.datetime.fromtimestamp(seconds, zoneinfo.ZoneInfo(name.removeprefix(":")))
        offset = int(aware.utcoffset().total_seconds())
        fields = list(aware.timetuple())[:6]
        of_zoneinfo = [fields, aware.tzname(), offset, fields]
        print(json.dumps([of_libc, of_zoneinfo]))
