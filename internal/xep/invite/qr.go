package invite

import (
	"fmt"
	"strconv"

	"rsc.io/qr"
)

// quiet is the white margin of a code, in modules.
// ISO/IEC 18004 §5.3.8
const quiet = 4

// qrSVG draws a QR code: black on white in light and dark, since not every reader
// takes it the other way round.
func qrSVG(text string) ([]byte, error) {
	c, err := qr.Encode(text, qr.M)
	if err != nil {
		return nil, fmt.Errorf("QR code: %w", err)
	}
	side := strconv.Itoa(c.Size + 2*quiet)
	b := []byte("<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 " + side + " " + side + "' shape-rendering='crispEdges'>" +
		"<path fill='#fff' d='M0 0h" + side + "v" + side + "H0z'/><path d='")
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			run := 0
			for x+run < c.Size && c.Black(x+run, y) {
				run++
			}
			if run > 0 {
				b = fmt.Appendf(b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, run, run)
				x += run
			}
		}
	}
	return append(b, "'/></svg>"...), nil
}
