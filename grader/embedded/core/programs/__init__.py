"""What runs inside the containers of the embedded cluster: servers, a shell and the usual network tools."""
