"""The command that starts the service."""

import contextlib
from typing import TYPE_CHECKING, Any

import click

from itadaki import interrupt
from itadaki.cli import parameters
from itadaki.cli.prepare import is_ready, prepare
from itadaki.settings import Settings
from itadaki.variants import served_variant

if TYPE_CHECKING:
    import socket

_GRACE = 30  # seconds that requests in work get to end when the service is stopped


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="HOST",
    help="an address of this machine (127.0.0.1 only itself can reach), or 0.0.0.0 for all",
)
@click.option(
    "--port",
    type=parameters.whole(0, 65535),
    default="8000",
    metavar="PORT",
    help="0 takes any free one",
)
@parameters.dataset
def serve(host: str, port: int) -> int:
    """Start the HTTP API, set up first if need be."""
    settings = Settings()
    import uvicorn
    from uvicorn.config import STARTUP_FAILURE

    from api.core.address import check_address
    from api.core.config import ApiSettings
    from api.core.http_protocol import BoundedProtocol
    from api.core.request_log import configure_logs
    from itadaki.storage.workspace import clean_up

    # Everything that can be wrong is said here, in one line, before a server starts.
    api_settings = ApiSettings()
    check_address(host, port)
    trusted = [str(network) for network in api_settings.trusted_proxies]
    variant = served_variant(settings)
    for dataset in dict.fromkeys([settings.dataset, *api_settings.collections]):
        ours = settings.model_copy(update={"dataset": dataset})
        if not is_ready(variant, ours):
            prepare(variant, ours)
            check_address(host, port)  # that took minutes
    clean_up(settings.collections_folder)
    configure_logs(api_settings.log_format)

    class Server(uvicorn.Server):
        """Gives requests in work their time to end, but while it loads it ends at once."""

        async def startup(self, sockets: "list[socket.socket] | None" = None) -> None:
            await super().startup(sockets)
            interrupt.unwatch()

        def handle_exit(self, sig: int, frame: Any) -> None:
            if not self.started:
                interrupt.end_process(sig)
            super().handle_exit(sig, frame)

    config = uvicorn.Config(
        "api.main:app",
        log_config=None,
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="none",
        proxy_headers=bool(trusted),
        forwarded_allow_ips=trusted,
        timeout_graceful_shutdown=_GRACE,
        server_header=False,
    )
    interrupt.default_handlers()
    server = Server(config)
    with contextlib.suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else STARTUP_FAILURE
