"""How gunicorn serves an installation: threads, connections that stay open, and a job worker inside the first process.

Recycling of workers (``max_requests``) stays off: it can cut a connection in the middle of a sitting.
"""

import gc
import threading

worker_class = "gthread"
keepalive = 75
graceful_timeout = 30
accesslog = None
control_socket_disable = True  # systemd or whoever started it stops it; no second way in
forwarded_allow_ips = "127.0.0.1"


def post_worker_init(worker):  # type: ignore[no-untyped-def]
    """Gives each serving process a thread that does jobs and duties; their rows see to it that each is done once.

    What was loaded until now stays as long as the process: the garbage collector leaves it alone, since looking at all of it stops
    every request for a third of a second.
    """
    from examsvc.commands.installation import work_forever

    gc.collect()
    gc.freeze()
    threading.Thread(target=work_forever, args=(worker.wsgi,), name="jobs", daemon=True).start()
