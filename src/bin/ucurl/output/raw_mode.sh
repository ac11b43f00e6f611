# The terminal is stderr: a console without a controlling terminal has no /dev/tty. `stty -g` prints
# what `stty` takes back. stty and cat ignore the signals that the trap ignores. `cat` waits for the
# end of the pipe, because only `wait` ends for a trapped signal in every shell (POSIX.1-2017, XCU
# 2.11).
trap '' HUP INT QUIT TERM TSTP TTOU PIPE
old=$(stty -g <&2) && stty raw -echo -iexten <&2 || exit 1
trap 'woken=1; stty size <&2' WINCH
stty size <&2
exec 3<&0
cat <&3 &
while wait $!; [ "$woken" ]; do woken=; done
stty "$old" <&2
