# Dates and sleeping.
# shells: bash zsh mksh ash
date -u -d @0 '+%Y-%m-%d %H:%M:%S %j %a'; date -u -d @1700000000 +%c; date -u -d '2024-02-29 12:00' +%s
a=$(date +%s); sleep 1; b=$(date +%s); [ $((b - a)) -ge 1 ] && echo later
touch -d '2001-02-03 04:05:06' f; stat -c %Y f; date -r f -u +%F; ls -l --full-time f | cut -d' ' -f6
[ "$(date +%Y)" -ge 2024 ] && echo "this century"; cal 2 2024 | head -n 2
sleep 0.1 && usleep 1000 && echo slept
