"""The course in a browser's tab: the cluster, judge and cards of everywhere, behind one object that JavaScript asks."""
