<?php
// Shows what the server has told of the request.
header('Content-Type: application/json');
header('X-Powered-By: tests');
$changing = ['REQUEST_TIME', 'REQUEST_TIME_FLOAT', 'REMOTE_PORT', 'argv', 'argc', 'HOME', 'USER', 'FCGI_ROLE'];
$server = array_diff_key($_SERVER, array_flip($changing));
ksort($server);
$described = fn($file) => [$file['name'], $file['type'], $file['size'], sha1_file($file['tmp_name'])];
echo json_encode([
    'server' => array_map(fn($value) => mb_check_encoding($value, 'UTF-8') ? $value : bin2hex($value), $server),
    'get' => $_GET,
    'post' => $_POST,
    'cookies' => $_COOKIE,
    'files' => array_map($described, $_FILES),
    'input' => sha1(file_get_contents('php://input')),
    'proxy' => getenv('HTTP_PROXY'),
], JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
