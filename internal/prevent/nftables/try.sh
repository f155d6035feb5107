#!/bin/sh
# Loads a ruleset on trial: what was there before comes back unless it is confirmed in time.
#
#   nftables-try.sh RULESET [TIME]   check, load, go back after TIME: minutes, or seconds as 90s (5)
#   nftables-try.sh confirm          keep it
#
# Needs root and nft. It is safe to lose the connection that it was started from: the way back
# waits in a process of its own.
set -eu

state=${WAYBILL_STATE:-/run/waybill}
pending=$state/pending   # which trial is not confirmed yet
before=$state/before.nft # what comes back

fail() {
	echo "waybill: $*" >&2
	exit 1
}

# Only the trial that is still pending goes back: a later or confirmed one is left alone.
go_back() {
	[ "$(cat "$pending" 2>/dev/null)" = "$1" ] || exit 0
	nft -f "$before" || printf 'table inet waybill\ndelete table inet waybill\n' | nft -f -
	rm -f "$pending"
}

# What is there now, as a transaction that brings it back.
remember() {
	{
		printf 'table inet waybill\ndelete table inet waybill\n'
		nft list table inet waybill 2>/dev/null || true
	} >"$before.new"
	nft -c -f "$before.new" || fail "what is loaded now cannot be loaded again; nothing was done"
	mv "$before.new" "$before"
}

# systemd outlives the session, but it runs in the first network namespace.
has_systemd() {
	[ -d /run/systemd/system ] && command -v systemd-run >/dev/null 2>&1 &&
		[ "$(readlink /proc/self/ns/net)" = "$(readlink /proc/1/ns/net)" ]
}

# The way back is laid before anything changes.
lay_way_back() {
	if has_systemd && systemd-run --quiet --collect --on-active="$2" --unit="waybill-$1" \
		--setenv=WAYBILL_STATE="$state" --setenv=PATH="$PATH" /bin/sh "$state/try.sh" go-back "$1"; then
		return
	fi
	# shellcheck disable=SC2016 # the inner shell expands them
	setsid sh -c 'sleep "$1"; exec sh "$2/try.sh" go-back "$3"' sh "$2" "$state" "$1" </dev/null >/dev/null 2>&1 &
}

case "${1:-}" in
confirm)
	[ -e "$pending" ] || fail "no trial is waiting: it was confirmed, or has gone back"
	rm -f "$pending"
	echo "waybill: confirmed; the rules stay until the next start of the machine (include the file in /etc/nftables.conf to keep them)"
	exit
	;;
go-back)
	go_back "$2"
	exit
	;;
'' | -*)
	fail "usage: $0 RULESET [TIME] | $0 confirm"
	;;
esac

ruleset=$1
given=${2:-5}
number=${given%s}
case $number in
'' | *[!0-9]* | 0*) fail "time: $given: give minutes as 5, or seconds as 90s" ;;
esac
seconds=$number
[ "$given" != "$number" ] || seconds=$((number * 60))
[ -r "$ruleset" ] || fail "$ruleset: cannot be read"
command -v setsid >/dev/null 2>&1 || fail "setsid is missing (util-linux)"
nft -c -f "$ruleset" || fail "$ruleset: does not load; nothing was done"

umask 077
mkdir -p "$state"
[ -e "$pending" ] || remember # during a trial: what was there before the first
cp "$0" "$state/try.sh"
trial=$$-$(date +%s)
echo "$trial" >"$pending"
lay_way_back "$trial" "$seconds"
nft -f "$ruleset" || fail "$ruleset: did not load; what was there before comes back in $seconds seconds"
echo "waybill: loaded for $seconds seconds; keep it with: sh $0 confirm"
