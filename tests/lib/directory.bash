# shellcheck shell=bash
# What the directory of groups-ldap.bats has beside what slapd.bash puts there. People are below
# ou=members, by uid; groups below ou=groups, by cn.
#
#   ann       engineers, which is in all-staff, which is in everyone, which is in all-staff;
#             posix-a by memberUid; memberOf and employeeType name groups; mail, departmentNumber
#   ben       in nothing, with no mail
#   dup       twice
#   odd       an entry whose DN has , + " \ ( * in it, in the group "odd (names)"
#   deep      in a chain of ten groups, chain-1 to chain-10
#   deeper    in a chain of eleven
#   many      with five mail addresses, one of them longer than addresses are
#   dirty     with a description that has a newline, and memberOf's plain cousin with one
#   Straße    UTF-8
# ou=open may be read by anybody, and has carl; ou=refs refers to another server, and has dora.

directory_ldif() {
    local n base=dc=example,dc=org

    for n in members more groups open refs; do
        slapd_entry "ou=$n,$base" 'objectClass: organizationalUnit' "ou: $n"
    done
    directory_person ann "mail: ann@example.org" "departmentNumber: ns-ann" \
        "memberOf: cn=engineers,ou=groups,$base" \
        "memberOf: cn=Data\\2C Science\\+AI,ou=groups,$base" \
        'employeeType: Plain Group' 'employeeType: cn=not a' 'title: x'
    directory_person ben
    directory_person dup
    directory_person deep
    directory_person deeper
    directory_person long "mail: $(printf 'a%.0s' {1..250})@example.org"
    directory_person dirty "description:: $(printf 'a\nb' | base64)" \
        "memberOf: cn=engineers,ou=groups,$base"
    directory_person Straße
    slapd_entry "uid=dup,ou=more,$base" 'objectClass: inetOrgPerson' 'uid: dup' 'cn: dup' 'sn: dup'
    slapd_entry 'cn=a\2Cb\2Bc\22d\5Ce(f*)g,ou=members,'$base 'objectClass: inetOrgPerson' \
        'uid: odd' 'cn: a,b+c"d\e(f*)g' 'sn: odd'
    slapd_entry "uid=carl,ou=open,$base" 'objectClass: inetOrgPerson' 'uid: carl' 'cn: carl' \
        'sn: carl' 'employeeType: opened'
    slapd_entry "uid=dora,ou=refs,$base" 'objectClass: inetOrgPerson' 'uid: dora' 'cn: dora' \
        'sn: dora'
    slapd_entry "ou=away,ou=refs,$base" 'objectClass: referral' 'objectClass: extensibleObject' \
        'ou: away' 'ref: ldap://127.0.0.1:9/ou=away,dc=example,dc=com'
    directory_group engineers "uid=ann,ou=members,$base"
    directory_group all-staff "cn=engineers,ou=groups,$base" "cn=everyone,ou=groups,$base"
    directory_group everyone "cn=all-staff,ou=groups,$base"
    directory_group 'odd (names)' 'cn=a\2Cb\2Bc\22d\5Ce(f*)g,ou=members,'$base
    directory_chain chain deep 10
    directory_chain longer deeper 11
    slapd_entry "cn=posix-a,ou=groups,$base" 'objectClass: posixGroup' 'cn: posix-a' \
        'gidNumber: 5000' 'memberUid: ann' 'memberUid: ben'
}

# directory_person UID [LINE]...
directory_person() {
    local uid=$1

    shift
    slapd_entry "uid=$uid,ou=members,dc=example,dc=org" 'objectClass: inetOrgPerson' \
        'objectClass: extensibleObject' "uid: $uid" "cn: $uid" "sn: $uid" "$@"
}

# directory_group CN MEMBER-DN...
directory_group() {
    local cn=$1

    shift
    slapd_entry "cn=$cn,ou=groups,dc=example,dc=org" 'objectClass: groupOfNames' "cn: $cn" \
        "${@/#/member: }"
}

# directory_chain NAME UID LENGTH: NAME-1 has the user, each other one the one before.
directory_chain() {
    local i member=uid=$2,ou=members,dc=example,dc=org

    for ((i = 1; i <= $3; i++)); do
        directory_group "$1-$i" "$member"
        member=cn=$1-$i,ou=groups,dc=example,dc=org
    done
}
