import Foundation

// libFuzzer has the loop; it calls what is here. What is tried is chosen by the environment: DOCKET_FUZZ_TARGET is its name, and
// with DOCKET_FUZZ_PLANT it has a fault.

private let targets: [String: any FuzzTarget.Type] = [
  "cursors": CursorTarget.self, "frames": FrameTarget.self, "http": HTTPTarget.self, "json": JSONTarget.self,
  "patches": PatchTarget.self, "paths": PathTarget.self, "queries": QueryTarget.self, "requests": RequestTarget.self,
  "store": StoreTarget.self, "strangers": StrangerTarget.self,
]

/// libFuzzer calls from one thread.
nonisolated(unsafe) private var target: (any FuzzTarget)?

@_cdecl("LLVMFuzzerInitialize")
public func initialize(_ count: UnsafeMutableRawPointer?, _ arguments: UnsafeMutableRawPointer?) -> Int32 {
  let environment = ProcessInfo.processInfo.environment
  guard let type = environment["DOCKET_FUZZ_TARGET"].flatMap({ targets[$0] }) else {
    FileHandle.standardError.write(
      Data("DOCKET_FUZZ_TARGET must be one of: \(targets.keys.sorted().joined(separator: " "))\n".utf8))
    exit(2)
  }
  target = type.init(isPlanted: environment["DOCKET_FUZZ_PLANT"] != nil)
  return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int32 {
  target?.run(UnsafeRawBufferPointer(start: bytes, count: bytes == nil ? 0 : count))
  return 0
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutableRawPointer, _ arguments: UnsafeMutableRawPointer,
  _ body: @convention(c) (UnsafeRawPointer?, Int) -> Int32
) -> Int32

/// What the package manager makes `main` of an executable whose module has this name.
@_cdecl("DocketFuzz_main")
public func fuzzMain(_ count: Int32, _ arguments: UnsafeMutableRawPointer) -> Int32 {
  var (count, arguments) = (count, arguments)
  return runDriver(&count, &arguments) { testOneInput($0, $1) }
}
