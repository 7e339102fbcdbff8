package files

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"unicode/utf16"
)

var (
	utf8BOM = []byte{0xEF, 0xBB, 0xBF}
	utf16LE = []byte{0xFF, 0xFE}
	utf16BE = []byte{0xFE, 0xFF}

	errLarge = errors.New("too large to be read at once")
)

// utf16 reads text as Windows tools save it.
func (f *file) utf16(r io.Reader) {
	data, err := io.ReadAll(io.LimitReader(r, 2*maxDocument+1))
	if err == nil && len(data) > 2*maxDocument {
		err = errLarge
	}
	if err != nil {
		f.broken(err)
		return
	}
	var order binary.ByteOrder = binary.LittleEndian
	if bytes.HasPrefix(data, utf16BE) {
		order = binary.BigEndian
	}
	data = data[2:]
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	f.read(bytes.NewReader([]byte(string(utf16.Decode(units)))))
}
