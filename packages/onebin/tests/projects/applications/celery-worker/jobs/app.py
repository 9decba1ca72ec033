import os

from celery import Celery

app = Celery("jobs", include=["jobs.tasks"])
app.conf.broker_url = app.conf.result_backend = os.environ.get("REDIS", "redis://127.0.0.1:6379/0")
