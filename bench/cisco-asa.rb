version=2
# The Cisco ASA messages of bench/made_lines.py for liblognorm, with the fields that whydrop takes from them.
prefix=%month:word% %day:number% %year:number% %clock:time-24hr% %host:word% : %%ASA-%level:number%-
rule=no-connection:106015: Deny TCP (no connection) from %src:ipv4%/%sport:number% to %dst:ipv4%/%dport:number% flags %flags:string-to: on interface% on interface %on:word%
rule=teardown:302014: Teardown TCP connection %conn:number% for %sif:char-to:\x3a%:%src:ipv4%/%sport:number% to %dif:char-to:\x3a%:%dst:ipv4%/%dport:number% duration %duration:duration% bytes %bytes:number% %reason:rest%
rule=built:302013: Built %direction:word% TCP connection %conn:number% for %sif:char-to:\x3a%:%src:ipv4%/%sport:number% (%snat:ipv4%/%snatport:number%) to %dif:char-to:\x3a%:%dst:ipv4%/%dport:number% (%dnat:ipv4%/%dnatport:number%)%rest:rest%
