/// Something to be measured by itself.
struct Part {
  let name: String
  /// How many of what the name says one call of `body` carries out.
  let count: Int
  let body: () throws -> Void

  init(_ name: String, count: Int = 1, _ body: @escaping () throws -> Void) {
    self.name = name
    self.count = count
    self.body = body
  }
}
