/// A promise about bytes, whatever they are. It is broken by a crash, or by a call of `broken`.
protocol FuzzTarget: AnyObject, SendableMetatype {
  /// - Parameter isPlanted: whether it is to have a fault, which it must find: so that a target that finds nothing is no riddle.
  init(isPlanted: Bool)

  func run(_ bytes: UnsafeRawBufferPointer)
}

/// Ends the process, upon which libFuzzer keeps the input.
func broken(_ promise: String, _ details: @autoclosure () -> String = "") -> Never {
  fatalError("\(promise)\n\(details())")
}

/// Bytes as a message shows them.
func shown(_ bytes: some Collection<UInt8>) -> String {
  String(decoding: bytes, as: UTF8.self).debugDescription
}
