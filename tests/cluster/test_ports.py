from __future__ import annotations

import socket

from grader.cluster.ports import taken


def test_a_port_with_a_listener_is_taken_and_a_free_one_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        assert taken("127.0.0.1", [port]) == (port,)
    assert taken("127.0.0.1", [port]) == ()


def test_a_listener_on_all_addresses_takes_the_loopback_s_port() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        port = listener.getsockname()[1]
        assert taken("127.0.0.1", [port]) == (port,)
        assert taken("0.0.0.0", [port]) == (port,)


def test_a_port_whose_last_connection_just_ended_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            server_side, _ = listener.accept()
            server_side.close()
    assert taken("127.0.0.1", [port]) == ()
