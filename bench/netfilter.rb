version=2
# The netfilter lines of bench/made_lines.py for liblognorm: its own parser takes the fields.
rule=netfilter:%time:date-rfc3164% %host:word% kernel: %prefix:string-to:IN=%%fields:v2-iptables%
