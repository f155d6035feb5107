package zeek

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"waybill/internal/telemetry"
)

const httpFields = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n" +
	"#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\ttrans_depth\tmethod\thost\turi\treferrer\tversion\tuser_agent\torigin\trequest_body_len\tresponse_body_len\tstatus_code\tstatus_msg\tinfo_code\tinfo_msg\ttags\tusername\tpassword\tproxied\torig_fuids\torig_filenames\torig_mime_types\tresp_fuids\tresp_filenames\tresp_mime_types\n"

func BenchmarkRows(b *testing.B) {
	const n = 20_000
	var tsv, json bytes.Buffer
	tsv.WriteString(httpFields)
	for i := range n {
		fmt.Fprintf(&tsv, "1773738000.%06d\tC%016x\t10.20.1.7\t50123\t10.20.0.40\t80\t1\tGET\tintranet.corp.example\t/tools/setup-%d.exe\t-\t1.1\tcurl/8.5.0\t-\t0\t7168\t200\tOK\t-\t-\t(empty)\t-\t-\t-\t-\t-\t-\tF%016x\t-\tapplication/x-dosexec\n", i, i, i, i)
		fmt.Fprintf(&json, `{"_path":"http","ts":1773738000.%06d,"uid":"C%016x","id.orig_h":"10.20.1.7","id.orig_p":50123,"id.resp_h":"10.20.0.40","id.resp_p":80,"trans_depth":1,"method":"GET","host":"intranet.corp.example","uri":"/tools/setup-%d.exe","version":"1.1","user_agent":"curl/8.5.0","request_body_len":0,"response_body_len":7168,"status_code":200,"status_msg":"OK","tags":[],"resp_fuids":["F%016x"],"resp_mime_types":["application/x-dosexec"]}`+"\n", i, i, i, i)
	}
	for name, c := range map[string]struct {
		f    telemetry.Format
		text []byte
	}{"tsv": {TSV, tsv.Bytes()}, "json": {JSON, json.Bytes()}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				l, rows := c.f.Open(bytes.NewReader(c.text), telemetry.OpenOptions{}), 0
				var batch telemetry.Batch
				for l.Next(&batch) != io.EOF {
					rows += len(batch.Records)
				}
				if rows != n {
					b.Fatal(rows)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
