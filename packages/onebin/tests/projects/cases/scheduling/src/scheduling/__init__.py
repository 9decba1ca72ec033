import os

def main():
    print(os.sched_getscheduler(0) == os.SCHED_OTHER, os.sched_getparam(0).sched_priority)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    print(os.sched_getscheduler(0) == os.SCHED_BATCH, os.sched_setparam(0, os.sched_param(0)))
    try:
        os.sched_setscheduler(0, 99, os.sched_param(0))
    except OSError as error:
        print(error)
