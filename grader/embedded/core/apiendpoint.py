"""The API server as the emulated network reaches it: HTTPS on the control plane's port 6443, for whoever has a token.

Inside of the network nobody is the administrator, so no stream (watch, exec, log) can be asked for: RBAC refuses it
before (api/access/rbac.py).
"""

from __future__ import annotations

from functools import partial
from urllib.parse import parse_qsl, unquote

from grader.embedded.core.api.access import tokens
from grader.embedded.core.api.access.rbac import bearer
from grader.embedded.core.api.http.messages import Request, Response
from grader.embedded.core.api.server import ApiServer
from grader.embedded.core.kernel import ConnectionReset_, Stream
from grader.embedded.core.machines import Peer
from grader.embedded.core.programs.net import http, tls
from grader.embedded.core.programs.servers.golang import accept_tls
from grader.embedded.core.store import Store


class ApiEndpoint:
    """Serves connections to the API server.

    Args:
        store: the cluster's objects.
        names: names and addresses in its certificate.
        authority: the cluster's certificate authority, in PEM.
    """

    def __init__(self, store: Store, names: tuple[str, ...], authority: str) -> None:
        self._store = store
        self._names = names
        self._authority = authority
        self._api: ApiServer | None = None

    async def serve(self, stream: Stream, peer: Peer) -> None:
        """Serve one connection to its end."""
        try:
            if await accept_tls(stream, tls.Certificate(self._names, self._authority)):
                await http.serve(stream, peer, self._respond)
        except ConnectionReset_:
            return
        stream.close()

    async def _respond(self, asked: http.Request) -> http.Response:
        self._api = self._api or ApiServer(self._store)
        headers = {name.lower(): value for name, value in asked.headers}
        path, _, query = asked.target.partition("?")
        user = bearer(headers.get("authorization", ""), partial(tokens.user_of, self._store))
        parameters = tuple(parse_qsl(query, keep_blank_values=True))
        answer = self._api.handle(Request(asked.method, unquote(path), parameters, headers, asked.body, user))
        if not isinstance(answer, Response):
            raise TypeError(f"a stream for {asked.method} {path}")
        dated = ("Date", http.date(self._store.now()))
        return http.Response(answer.status, answer.body, [*answer.headers, dated])
