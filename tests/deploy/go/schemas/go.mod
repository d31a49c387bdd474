// Modules whose files are schemas: of Compose files, and of KEDA's resources.
module recollect.local/tests/schemas

go 1.26.0

require (
	github.com/compose-spec/compose-go/v2 v2.16.2
	github.com/kedacore/keda/v2 v2.21.0
)
