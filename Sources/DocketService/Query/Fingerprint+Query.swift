import DocketStore

/// What of a query its cursors are bound to.
extension Fingerprint {
  mutating func add(_ scope: Query.Scope) {
    switch scope {
    case .collection(let path):
      add(0)
      add(path.description)
    case .tree(let path):
      add(1)
      add(path.description)
    case .everything: add(2)
    }
  }

  mutating func add(_ filter: Filter) {
    switch filter {
    case .all(let filters): add(0, filters)
    case .any(let filters): add(1, filters)
    case .not(let filter): add(2, [filter])
    case .test(let field, let test):
      add(3)
      add(field)
      add(test)
    }
  }

  private mutating func add(_ kind: UInt8, _ filters: [Filter]) {
    add(kind)
    for filter in filters { add(filter) }
    add(0xFF)
  }

  mutating func add(_ field: Field) {
    // A path holds no segment that begins with @.
    add(field.name)
  }

  private mutating func add(_ test: Filter.Test) {
    switch test {
    case .equal(let value): add(0, value)
    case .less(let value): add(1, value)
    case .lessOrEqual(let value): add(2, value)
    case .greater(let value): add(3, value)
    case .greaterOrEqual(let value): add(4, value)
    case .oneOf(let values):
      for value in values { add(5, value) }
      add(0xFF)
    case .exists(let wanted): add(wanted ? 6 : 7)
    case .prefix(let bytes):
      add(8)
      add(bytes)
    case .contains(let value): add(9, value)
    }
  }

  private mutating func add(_ kind: UInt8, _ value: QueryValue) {
    add(kind)
    add(UInt8(value.rank))
    switch value {
    case .missing, .null, .false, .true: break
    case .number(let number): add(number.token)
    case .string(let bytes), .composite(let bytes): add(bytes)
    }
  }
}
