#!/bin/bash
# Started by keepalived, twice a second: succeeds while HAProxy answers on port 80, whatever it says. Whether there are
# web servers is no question here: without any, visitors are to get the page that says so.
exec 2>/dev/null 3<>/dev/tcp/127.0.0.1/80
printf 'GET / HTTP/1.0\r\n\r\n' >&3
IFS= read -r status <&3
[[ $status == HTTP/1.* ]]
