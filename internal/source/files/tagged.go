package files

import (
	"encoding/base64"
	"strings"
	"time"
)

// decodeBinary decodes a !!binary scalar.
func decodeBinary(s string) (scalar, error) {
	data, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return scalar{}, errTag
	}
	return scalar{text: string(data)}, nil
}

// timestamps are the forms of YAML 1.1 that go-yaml v2 takes for a time.
var timestamps = []string{
	"2006-1-2T15:4:5.999999999Z07:00",
	"2006-1-2t15:4:5.999999999Z07:00",
	"2006-1-2 15:4:5.999999999",
	"2006-1-2",
}

func isTimestamp(s string) bool {
	year, _, ok := strings.Cut(s, "-")
	if !ok || len(year) != 4 || strings.Trim(year, "0123456789") != "" {
		return false
	}
	for _, layout := range timestamps {
		if _, err := time.Parse(layout, s); err == nil {
			return true
		}
	}
	return false
}
