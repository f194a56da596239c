# Ignored HUP, setsid and what they leave behind.
# shells: bash zsh mksh ash
(trap '' HUP; sh -c 'kill -HUP $$; echo "still here"')
(trap '' HUP; exec sh -c 'exit 3'); echo $?
setsid sh -c 'read -r pid comm state ppid pgrp session rest </proc/$$/stat; [ "$pid" = "$session" ] && echo leader' | cat
setsid sh -c 'exit 5' & wait $!; s=$?; [ $s = 5 ] || [ $s = 0 ] && echo ended
(sleep 0.2; echo from the orphan >orphan) &
wait
cat orphan
sh -c '(sleep 0.3; echo late >late) &'
i=0; while [ ! -s late ] && [ $i -lt 100 ]; do sleep 0.05; i=$((i + 1)); done; cat late
