# shellcheck shell=sh
# /etc/profile.d/authserver.sh: for shells. A program that takes no argument and prints a token for
# the account that runs it.
export OKERA_TOKEN_RETRIEVAL_SCRIPT=/usr/local/bin/authserver-token
