# ucurl --generate fish >~/.config/fish/completions/ucurl.fish
function _ucurl_contexts; sh -c '{contexts}'; end
complete -c ucurl -n __fish_use_subcommand -f -a '{first}'
{flags}
