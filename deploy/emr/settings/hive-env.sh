# shellcheck shell=sh
# To the end of /etc/hive/conf/hive-env.sh, where configurations.json is not used.
export OKERA_TOKEN_RETRIEVAL_SCRIPT=/usr/local/bin/authserver-token
