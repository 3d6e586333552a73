<?php
setcookie('first', 'a b', ['path' => '/', 'httponly' => true]);
setcookie('second', 'ü', ['samesite' => 'Lax']);
header('Location: /next', true, 303);
