# Programs that are ended by a timer.
timeout 1 sleep 10; echo "status $?"
timeout 2 sh -c 'while :; do sleep 0.1; done'; echo "status $?"
timeout 5 sh -c 'echo in time'; echo "status $?"
