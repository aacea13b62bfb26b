"""Django's Postgres backend, which sees to it that its server runs."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from dressportal.embedded_postgres.server import Server


class DatabaseWrapper(base.DatabaseWrapper):
    """`settings_dict["EMBEDDED_DATA"]` is the server's data folder."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        server = Server(Path(self.settings_dict["EMBEDDED_DATA"]))
        server.join()
        try:
            return super().get_new_connection(conn_params)
        except self.Database.OperationalError:
            # Killed, or still recovering: both end here, and both end well once it runs.
            server.ensure_running()
            return super().get_new_connection(conn_params)
