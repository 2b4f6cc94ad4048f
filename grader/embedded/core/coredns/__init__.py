"""CoreDNS: its Corefile, the plugins that the course's questions meet, its log."""
