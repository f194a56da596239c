# A server and a client, both of the guest.
# shells: bash zsh mksh ash
# port
(echo from server; sleep 0.3) | nc -l -p $PORT >heard & server=$!
i=0
until echo from client | nc 127.0.0.1 $PORT >answer 2>/dev/null && [ -s answer ]; do
    i=$((i + 1)); [ $i -gt 50 ] && break
    sleep 0.1
done
wait $server; echo "server $?"
cat answer heard
nc 127.0.0.1 $PORT </dev/null 2>/dev/null; echo "nobody there: $?"
