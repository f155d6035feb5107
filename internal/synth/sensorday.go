package synth

import (
	"fmt"
	"io"
)

// SensorDay writes about so many rows of Suricata, about 300 a second: requests over HTTP
// with the file and the flow of each. Of ten files nine are parts of pages from
// outside, and one is a program from a server inside.
func SensorDay(w io.Writer, rows int) error {
	for i := range rows / 3 {
		second, micros := 9*3600+i/100, i%100*10_000
		at := fmt.Sprintf("2026-03-%02dT%02d:%02d:%02d.%06d+0000", 17+second/86400, second/3600%24, second/60%60, second%60, micros)
		client, server, name, media, magic := fmt.Sprintf("10.20.%d.%d", i%50, 1+i/50%200), fmt.Sprintf("93.184.216.%d", 1+i%200), fmt.Sprintf("style-%d.css", i), "text/css", "ASCII text"
		if i%10 == 0 {
			server, name, media, magic = fmt.Sprintf("10.30.0.%d", 1+i%20), fmt.Sprintf("agent-%d.exe", i%1000), "application/octet-stream", "PE32+ executable (console) x86-64"
		}
		event := func(kind, from, to string, ports [2]int, more string) error {
			_, err := fmt.Fprintf(w, `{"timestamp":"%s","flow_id":%d,"event_type":"%s","src_ip":"%s","src_port":%d,"dest_ip":"%s","dest_port":%d,"proto":"TCP","community_id":"1:pa2iZ2tYRAmMT5yNxE+TM2%06d=",%s}`+"\n",
				at, 351071283265299+i*7919, kind, from, ports[0], to, ports[1], i%1_000_000, more)
			return err
		}
		ports, back := [2]int{40_000 + i%20_000, 80}, [2]int{80, 40_000 + i%20_000}
		http := fmt.Sprintf(`"http":{"hostname":"web%d.example","url":"/files/%s","http_user_agent":"curl/8.5.0","http_content_type":"%s","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":19968}`, i%20, name, media)
		for _, err := range []error{
			event("http", client, server, ports, `"tx_id":0,`+http),
			event("fileinfo", server, client, back, http+fmt.Sprintf(`,"app_proto":"http","fileinfo":{"filename":"/files/%s","magic":"%s","gaps":false,"state":"CLOSED","sha256":"%064x","stored":false,"size":19968,"tx_id":0}`, name, magic, 1+i%1000)),
			event("flow", client, server, ports, fmt.Sprintf(`"app_proto":"http","flow":{"pkts_toserver":10,"pkts_toclient":20,"bytes_toserver":1000,"bytes_toclient":21000,"start":"%s","end":"%s","state":"closed","reason":"timeout"},"tcp":{"tcp_flags":"1b"}`, at, at)),
		} {
			if err != nil {
				return err
			}
		}
	}
	return nil
}
