"""How long a verdict waits, in seconds for which the objects have not changed (Scene.paced; silence: by the clock).

kube-proxy programs within 1.3 s on kind (iptables minSyncPeriod 1 s); these leave room for a loaded machine.
"""

from __future__ import annotations

STALE_SECONDS = 2.0  # the rules of before a change may still answer
WATCH_SECONDS = 3.0  # that nobody answers is believed after this
SUSPECT_SECONDS = 6.0  # for an answer that a policy says cannot last; a loaded machine programs late
DATA_PLANE_SECONDS = 20.0  # after this no kube-proxy lags behind, whatever it is that shows it
BALANCER_SECONDS = 45.0  # another node may announce an address than announces ours, and a loaded one does so late
CONTROL_SECONDS = 5.0  # a Service of our own that is younger may still be on its way to the nodes
STEADY_SECONDS = 2.0  # one that was answered for so long is believed to be served
DNS_SECONDS = 35.0  # CoreDNS may remember for 30 s that a name was not there (plugin cache, where it is not disabled)
HOST_SECONDS = 12.0  # for silence of a port of the learner's host that others answer at; a loaded machine is silent too
SILENCE_SECONDS = 6.0  # for silence where no object says that anything is served
PROBE_SECONDS = 15.0  # in which kubelets ask Pods again whether they are ready; a loaded machine asks late
LEAST_PROBE_SECONDS = 3.0  # where the kubelets run in the API server's own process, and ask as late as it answers
