# Programs that are ended by a timer.
timeout 1 sleep 10; echo "status $?"
timeout 0.2 sh -c 'i=0; while :; do i=$((i + 1)); done'; echo "status $?"
timeout 5 sh -c 'echo in time'; echo "status $?"
