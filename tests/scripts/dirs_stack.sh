# The directory stack.
# shells: bash zsh
mkdir -p d1/d2 d3; top=$PWD
pushd d1 >/dev/null; pushd d2 >/dev/null; echo "${PWD#"$top"}"
pushd "$top/d3" >/dev/null; dirs -p 2>/dev/null | sed "s|.*/w|~|" | wc -l
popd >/dev/null; echo "${PWD#"$top"}"
popd >/dev/null; popd >/dev/null; [ "$PWD" = "$top" ] && echo "at the top"
popd 2>/dev/null || echo empty
pushd d1 >/dev/null; pushd >/dev/null; [ "$PWD" = "$top" ] && echo swapped
pushd missing 2>/dev/null || echo "none such"
