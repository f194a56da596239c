# A script that kills itself hard.
# shells: bash zsh mksh ash
(sleep 0.2; echo orphan >orphan) &
sleep 0.4
echo going
kill -KILL $$
