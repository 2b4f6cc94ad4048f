# Only the misspelt value is changed.
kubectl patch service ${SHOP}-search -p '{"spec":{"selector":{"app":"${SHOP}-search"}}}'
