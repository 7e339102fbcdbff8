package config

// apiVersion and kind name the format, as in a Kubernetes object.
const (
	apiVersion = "plimsoll.dev/v1"
	kind       = "Config"
)

// document is the shape of the file, from which both the reader and the JSON
// Schema are made. Tags: key is the name in the file and, after commas, what
// else holds of it: "required", "some" (a list that must not be empty), "one"
// (a list of one may be written without the brackets). enum lists the
// values, doc is what editors show.
type document struct {
	mapping
	APIVersion      text           `key:"apiVersion,required" enum:"plimsoll.dev/v1" doc:"The version of this format."`
	Kind            text           `key:"kind" enum:"Config" doc:"The kind of this file."`
	Waivers         []waiverEntry  `key:"waivers" doc:"Failing findings that are accepted for a time. They stay in the report, marked as waived."`
	Attestations    []attestation  `key:"attestations" doc:"What a person states where no evidence can decide. Only what is manual can be attested."`
	Tiers           []tier         `key:"tiers" doc:"Classes of workloads by sensitivity."`
	AllowedSubjects []allowedEntry `key:"allowedSubjects" doc:"Users, groups and service accounts that may have what a rule forbids."`
	Annotations     annotations    `key:"annotations" doc:"What annotations on objects may do."`
	Exclude         []pattern      `key:"exclude" doc:"Files that are not read, as gitignore patterns."`
}

type waiverEntry struct {
	mapping
	Rules      []rule          `key:"rule,required,some,one" doc:"What is accepted: an item by number or id, a check, or a glob over ids such as pods/*, which covers all that begins so."`
	Subjects   []waiverSubject `key:"subjects,some" doc:"About what: any one of these."`
	Everywhere flag            `key:"everywhere" doc:"Says that it holds for every subject, in place of subjects."`
	Controls   []text          `key:"controls,some" doc:"Only these sub-codes, such as hostPathVolumes."`
	Reason     text            `key:"reason,required" doc:"Why it is acceptable."`
	Owner      text            `key:"owner" doc:"Who answers for it."`
	Until      day             `key:"until,required" doc:"The last day (UTC) on which it holds."`
}

type waiverSubject struct {
	mapping
	Kind      glob   `key:"kind" doc:"The subject's kind, as the API spells it; a glob."`
	Namespace glob   `key:"namespace" doc:"The namespace that the subject is in; a glob. A Namespace is not in itself: name it by kind and name."`
	Name      glob   `key:"name" doc:"The subject's name; a glob."`
	Labels    labels `key:"labels" doc:"A label selector as kubectl takes it: app=batch,tier in (x)."`
	Part      glob   `key:"part" doc:"A part of the subject, such as a container's name; a glob."`
}

type attestation struct {
	mapping
	Item      attestable `key:"item,required" doc:"What is attested: an item by number or id, or a check."`
	Statement text       `key:"statement,required" doc:"What is stated."`
	By        text       `key:"by,required" doc:"Who states it."`
	Date      day        `key:"date,required" doc:"The day on which it was stated."`
	Expires   day        `key:"expires,required" doc:"The last day (UTC) on which it holds."`
}

type tier struct {
	mapping
	Name       tierName `key:"name,required" doc:"The tier's name, also as the value of the label plimsoll.dev/tier."`
	Sensitive  flag     `key:"sensitive" doc:"Whether its workloads are sensitive."`
	Namespaces []glob   `key:"namespaces,some" doc:"The namespaces of its workloads, as globs."`
	Selector   selector `key:"selector" doc:"The labels of its workloads."`
}

type selector struct {
	mapping
	MatchLabels map[string]label `key:"matchLabels" doc:"Labels that must have these values."`
	Expressions []requirement    `key:"matchExpressions,some" doc:"Conditions on labels, all of which must hold."`
}

type requirement struct {
	mapping
	Key      text    `key:"key,required" doc:"The label."`
	Operator text    `key:"operator,required" enum:"In,NotIn,Exists,DoesNotExist" doc:"How the label's value is compared."`
	Values   []label `key:"values,some" doc:"The values for In and NotIn."`
}

type allowedEntry struct {
	mapping
	Rules     []rule `key:"rule,required,some,one" doc:"What is allowed: an item by number or id, a check, or a glob over ids."`
	Kind      text   `key:"kind,required" enum:"Group,ServiceAccount,User" doc:"The kind of RBAC subject."`
	Name      glob   `key:"name,required" doc:"The subject's name; a glob."`
	Namespace glob   `key:"namespace" doc:"The namespace of a ServiceAccount; a glob."`
}

type annotations struct {
	mapping
	Waivers text `key:"waivers" enum:"allow,forbid" doc:"Whether objects may waive findings about themselves with the annotation plimsoll.dev/waive."`
}
