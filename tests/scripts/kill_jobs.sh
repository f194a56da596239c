# Jobs named by %.
# shells: bash
sleep 100 & sleep 200 &
kill %1; wait %1 2>/dev/null; echo "first: $?"
kill %%; wait %2 2>/dev/null; echo "second: $?"
sleep 50 & kill %sleep; wait $! 2>/dev/null; echo "by name: $?"
(sleep 0.1; exit 4) & wait %1; echo "waited: $?"
kill %7 2>/dev/null || echo "no such job"
