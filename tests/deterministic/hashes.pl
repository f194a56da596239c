# Hash order, forks and times.
use strict; use Time::HiRes;
my %h = map { $_ => rand } 1 .. 12;
print join(" ", map { "$_=$h{$_}" } keys %h), "\n";
print time, " ", Time::HiRes::time(), " $$\n";
for my $n (1 .. 3) {
    my $pid = fork();
    if (!$pid) { Time::HiRes::sleep(rand() / 10); print "child $n $$\n"; exit $n }
}
while ((my $pid = wait()) > 0) { print "end of $pid: ", $? >> 8, "\n" }
