# A trapped signal interrupts wait.
# shells: bash zsh mksh ash
trap 'echo trapped' USR1
(exec sleep 2) & sleeper=$!
(sleep 0.3; kill -USR1 $$) &
wait $sleeper; echo "interrupted: $(($? > 128))"
kill $sleeper
wait $sleeper 2>/dev/null; echo "ended: $?"
trap 'echo alarm; kill $p' ALRM
(exec sleep 50) & p=$!
(sleep 0.2; kill -ALRM $$) &
wait $p 2>/dev/null
wait $p 2>/dev/null
echo done
