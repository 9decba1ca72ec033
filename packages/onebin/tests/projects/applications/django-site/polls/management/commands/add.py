from django.core.management.base import BaseCommand

from polls.models import Question


class Command(BaseCommand):
    help = "Ask a question"

    def add_arguments(self, parser):
        parser.add_argument("text")

    def handle(self, *args, text, **options):
        self.stdout.write(f"question {Question.objects.create(text=text).pk}")
