# Every status of a pipeline.
# shells: bash
true | false | sh -c 'exit 3' | cat; echo "${PIPESTATUS[*]}"
yes | head -n 1; echo "${PIPESTATUS[*]}"
sh -c 'kill -TERM $$' | cat; echo "${PIPESTATUS[@]}"
(exit 1) | (exit 2) | (exit 3) | (exit 4) | (exit 5); s=("${PIPESTATUS[@]}"); echo "${#s[@]}: ${s[*]}"
shopt -s lastpipe
echo kept | read -r word; echo "word is $word, ${PIPESTATUS[*]}"
seq 5 | mapfile -t lines; echo "${lines[@]}"
