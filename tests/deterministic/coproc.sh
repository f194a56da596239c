# Substituted processes and a coprocess.
coproc bc_ { while read -r a b; do echo "$((a + b))"; done; }
for i in 1 2 3; do echo "$i $RANDOM" >&"${bc_[1]}"; read -r sum <&"${bc_[0]}"; echo "sum $sum"; done
diff <(seq 1 5) <(seq 2 6)
paste <(for i in 1 2 3; do echo $i; done) <(for i in a b c; do echo $i; done)
echo "$SECONDS $EPOCHSECONDS $EPOCHREALTIME $SRANDOM $BASHPID"
