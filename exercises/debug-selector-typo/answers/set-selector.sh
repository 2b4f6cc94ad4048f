# The selector is replaced as a whole.
kubectl set selector service ${SHOP}-search 'app=${SHOP}-search,part-of=${SHOP}'
