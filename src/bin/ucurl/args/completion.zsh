#compdef ucurl
# ucurl --generate zsh >_ucurl, in a directory of $fpath
_ucurl_contexts() {
  {contexts}
}
if (( CURRENT > 2 )); then
  case $words[2] in
{verbs}
  esac
fi
{flags} \
  '1:verb or URL:({first})' \
  '*:url:_urls'
