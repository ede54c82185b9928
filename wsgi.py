"""What gunicorn serves: ``gunicorn wsgi:app`` with the settings in EXAMSVC_* variables."""

from examsvc.app import create_app

app = create_app()
