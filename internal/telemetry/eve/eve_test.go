package eve

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"waybill/internal/telemetry"
)

func read(text string) (rows, damage []string) {
	l := JSON.Open(strings.NewReader(text), telemetry.OpenOptions{})
	var b telemetry.Batch
	for l.Next(&b) != io.EOF {
		for _, r := range b.Records {
			s := fmt.Sprintf("%s %d %d", r.Stream, r.Line, int64(r.Time))
			for _, f := range r.Fields {
				if f.Name != "timestamp" && f.Name != "event_type" {
					s += " " + f.Name + "=" + f.Value
				}
			}
			rows = append(rows, s)
		}
	}
	return rows, l.Damage()
}

func TestEvents(t *testing.T) {
	const begin = `{"timestamp":"2026-03-17T09:00:00.017528+0000","flow_id":7,"event_type":`
	for name, c := range map[string]struct {
		text         string
		rows, damage []string
	}{
		"a file": {begin + `"fileinfo","src_ip":"10.0.0.1","src_port":80,"fileinfo":{"filename":"a","gaps":false,"sha256":"ab","size":5},"tcp":{"x":1}}`,
			[]string{"suricata/fileinfo 1 1773738000017528000 flow_id=7 src_ip=10.0.0.1 src_port=80 fileinfo.filename=a fileinfo.gaps=F fileinfo.sha256=ab fileinfo.size=5"}, nil},
		"another zone": {`{"timestamp":"2026-03-17T11:00:00.5+02:00","event_type":"flow","flow_id":7}`, []string{"suricata/flow 1 1773738000500000000 flow_id=7"}, nil},
		"lists": {begin + `"dcerpc","dcerpc":{"interfaces":[{"uuid":"u","version":"1.0"},{"uuid":"v"}]},"ftp":{"completion_code":["150","226"]}}`,
			[]string{"suricata/dcerpc 1 1773738000017528000 flow_id=7 dcerpc.interfaces.uuid=u dcerpc.interfaces.version=1.0 ftp.completion_code=150,226"}, nil},
		"no payload, no counters": {begin + `"stats","stats":{"uptime":5},"payload":"x","packet":"y","http":{"http_request_body":"z","status":200}}`,
			[]string{"suricata/stats 1 1773738000017528000 flow_id=7 http.status=200"}, nil},
		"in a text": {`{"@timestamp":"x","message":"{\"timestamp\":\"2026-03-17T09:00:00.0+0000\",\"event_type\":\"ssh\",\"host\":\"s1\"}"}`,
			[]string{"suricata/ssh 1 1773738000000000000 sensor=s1"}, nil},
		"below a module": {`{"suricata":{"eve":{"timestamp":"2026-03-17T09:00:00.0+0000","event_type":"ssh","flow_id":8}}}`,
			[]string{"suricata/ssh 1 1773738000000000000 flow_id=8"}, nil},
		"a type of later": {begin + `"mqtt","mqtt":{}}`, []string{"suricata/mqtt 1 1773738000017528000 flow_id=7"}, nil},
		"damage":          {begin + "\"ssh\"}\n{\"timest\n\n" + begin + "\"rdp\"}", []string{"suricata/ssh 1 1773738000017528000 flow_id=7", "suricata/rdp 4 1773738000017528000 flow_id=7"}, []string{"line 2: no JSON"}},
	} {
		if !JSON.Looks([]byte(c.text + "\n")) {
			t.Errorf("%s: not told", name)
		}
		rows, damage := read(c.text)
		if !slices.Equal(rows, c.rows) || !slices.Equal(damage, c.damage) {
			t.Errorf("%s:\n%s\n%s", name, strings.Join(rows, "\n"), strings.Join(damage, "\n"))
		}
	}
	for _, text := range []string{`{"timestamp":"2026-03-17T09:00:00Z"}`, `{"event_type":"flow"}`, `{"timestamp":5,"event_type":"flow"}`, `{"timestamp":"2026-03-17T09:00:00Z","event_type":"login"}`, `{"_path":"ssh","ts":1.0,"uid":"C"}`} {
		if JSON.Looks([]byte(text + "\n")) {
			t.Errorf("%s: taken for an event", text)
		}
	}
}

func BenchmarkEvents(b *testing.B) {
	const n = 20_000
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `{"timestamp":"2026-03-17T09:00:01.%06d+0000","flow_id":%d,"pcap_cnt":170,"event_type":"fileinfo","src_ip":"10.20.0.5","src_port":80,"dest_ip":"10.20.1.7","dest_port":50840,"proto":"TCP","pkt_src":"wire/pcap","community_id":"1:pa2iZ2tYRAmMT5yNxE+TM2RJOZk=","http":{"hostname":"intra.example","url":"/tools/agent-%d.exe","http_user_agent":"synth/1.0","http_content_type":"application/octet-stream","http_method":"GET","protocol":"HTTP/1.1","status":200,"length":19968},"app_proto":"http","fileinfo":{"filename":"/tools/agent-%d.exe","magic":"PE32+ executable (console) x86-64","gaps":false,"state":"CLOSED","sha256":"afa3cc68485270f24ab666f19d325c1d382081a49efda8c0613f9552ccaa40b5","stored":false,"size":19968,"tx_id":0}}`+"\n", i, 351071283265299+i, i, i)
	}
	b.ReportAllocs()
	for range b.N {
		l, rows := JSON.Open(strings.NewReader(text.String()), telemetry.OpenOptions{}), 0
		var batch telemetry.Batch
		for l.Next(&batch) != io.EOF {
			rows += len(batch.Records)
		}
		if rows != n {
			b.Fatal(rows)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// FuzzEve asks of every event that it has a type and a time.
func FuzzEve(f *testing.F) {
	f.Add(`{"timestamp":"2026-03-17T09:00:00.017528+0000","flow_id":7,"event_type":"fileinfo","fileinfo":{"filename":"a","gaps":false},"l":[{"a":[1,{}]}]}`)
	f.Add("{\"log\":\"{}\"}\n{\"message\":{}}")
	f.Add(`[{"suricata":{"eve":{"timestamp":"2026-03-17T09:00:00Z","event_type":"x"}}}]`)
	f.Fuzz(func(t *testing.T, text string) {
		JSON.Looks([]byte(text))
		l, rows := JSON.Open(strings.NewReader(text), telemetry.OpenOptions{}), 0
		var b telemetry.Batch
		for l.Next(&b) != io.EOF {
			for i := range b.Records {
				if r := &b.Records[i]; !strings.HasPrefix(r.Stream, "suricata/") || r.Get("event_type") == "" || r.Time == 0 {
					t.Fatalf("%+v", r)
				}
			}
			if rows += len(b.Records); rows > len(text) {
				t.Fatal("more events than bytes")
			}
		}
	})
}
