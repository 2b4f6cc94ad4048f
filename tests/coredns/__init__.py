"""The real CoreDNS on an embedded cluster's API, to compare its answers with those of the embedded DNS."""
