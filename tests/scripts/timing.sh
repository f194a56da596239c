# The times that shells report, with the numbers left out.
# shells: bash ash
# mask: numbers
time sleep 0.2
time true | cat
{ time sh -c 'exit 3'; echo $?; } 2>err; wc -l <err
times
TIMEFORMAT=%R
time :
rm -f err
