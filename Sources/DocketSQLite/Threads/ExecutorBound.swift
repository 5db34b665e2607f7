/// Carries a value that is not `Sendable` through the store's threads, back to the executor that it came from.
///
/// `@unchecked Sendable`: the store's threads only pass it on; it is opened inside `deliver`, on the session's
/// executor, where it was closed.
struct ExecutorBound<Value>: @unchecked Sendable {
  let value: Value

  init(_ value: Value) {
    self.value = value
  }
}
